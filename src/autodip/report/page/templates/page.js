"use strict";
for (const pair of document.querySelectorAll(".pair")) {
  const canvas = pair.querySelector(".canvas");
  const width = canvas.viewBox.baseVal.width;
  const cut = pair.querySelector(".cut");
  const edge = pair.querySelector(".edge");
  const slider = pair.querySelector("input[type=range]");
  const show = () => {
    const x = (width * slider.value) / 100;
    cut.setAttribute("width", x);
    edge.setAttribute("x1", x);
    edge.setAttribute("x2", x);
    slider.setAttribute("aria-valuetext", slider.value + " % before");
  };
  if (slider) {
    const follow = (event) => {
      const box = canvas.getBoundingClientRect();
      slider.value = Math.round((100 * (event.clientX - box.left)) / box.width);
      show();
    };
    slider.addEventListener("input", show);
    const frame = pair.querySelector(".frame");
    frame.addEventListener("pointerdown", (event) => {
      frame.setPointerCapture(event.pointerId);
      follow(event);
    });
    frame.addEventListener("pointermove", (event) => {
      if (event.buttons) follow(event);
    });
    show();
  }
  pair.querySelector(".stretch").addEventListener("change", (event) => {
    const kind = event.target.checked ? "stretched" : "linear";
    for (const image of pair.querySelectorAll("image")) {
      image.setAttribute("filter", `url(#${kind}-${pair.dataset.number})`);
    }
  });
  for (const name of ["marks", "places"]) {
    const box = pair.querySelector(".show-" + name);
    if (!box) continue;
    box.addEventListener("change", () => {
      pair.querySelector("g." + name).toggleAttribute("hidden", !box.checked);
    });
  }
}
