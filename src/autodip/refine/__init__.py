"""Refinement: recover the structure that early stopping left out, with the fit as a guide.

A fit that is stopped early contains neither noise nor the finest structure. The noisy image
still contains that structure; with the estimated noise, and with the fit (the pilot) as a guide,
linear estimators recover it:

1. where the residual (noisy image minus pilot) of a neighbourhood is stronger than noise, its
   excess is added back to the pilot (:mod:`autodip.refine.local`);
2. the result is averaged with a Wiener filter of local blocks that is guided by it;
3. groups of similar patches, found in the result so far, are each modelled as one normal
   distribution and estimated from it (:mod:`autodip.refine.groups`);
4. where the residual of the pilot is only noise, the change made by these steps is smoothed: a
   filter that adapts to an image draws strokes from noise alone;
5. the means over large areas are set to those of the noisy image;
6. a small share of what was removed is added back.

Steps 1 to 3 work on the image after a variance-stabilising transform. If its noise is correlated,
they work at half resolution (:mod:`autodip.refine.halves`): there the noise is nearly white, while
at full resolution its finest components are too weak to be known, and what is taken for structure
in them shows as periodic patterns.
"""
