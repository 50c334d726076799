"use strict";
const table = document.querySelector(".outputs");
const body = table.tBodies[0];
const heads = [...table.tHead.rows[0].cells];
const value = (row, column) => row.cells[column].dataset.value;
const compare = (one, other) => {
  if (one === "" || other === "") return (one === "") - (other === "");
  const [first, second] = [Number(one), Number(other)];
  const numeric = !Number.isNaN(first) && !Number.isNaN(second);
  return numeric ? first - second : one.localeCompare(other, undefined, { numeric: true });
};
table.tHead.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  const head = button.closest("th");
  const column = heads.indexOf(head);
  const down = head.getAttribute("aria-sort") === "ascending";
  for (const other of heads) if (other.hasAttribute("aria-sort")) other.setAttribute("aria-sort", "none");
  head.setAttribute("aria-sort", down ? "descending" : "ascending");
  const rows = [...body.rows];
  rows.sort((a, b) => {
    const [one, other] = [value(a, column), value(b, column)];
    const missing = one === "" || other === "";
    return down && !missing ? compare(other, one) : compare(one, other);
  });
  body.append(...rows);
});
const only = document.getElementById("only");
only.addEventListener("change", () => {
  let shown = 0;
  for (const row of body.rows) {
    row.hidden = only.checked && !row.classList.contains("marked");
    shown += !row.hidden;
  }
  document.getElementById("said").textContent = `${shown} shown`;
});
