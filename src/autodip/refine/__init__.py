"""Refinement: recover the structure that early stopping left out, with the fit as a guide.

A fit that is stopped early contains neither noise nor the finest structure. The noisy image
still contains that structure; with the estimated noise, and with the fit (the pilot) as a guide,
linear estimators recover it:

1. where the residual (noisy image minus pilot) is locally stronger than noise, its excess is
   added back to the pilot (:mod:`autodip.refine.local`);
2. the result is averaged with a Wiener filter of local blocks that is guided by it;
3. groups of similar patches, found in the result so far, are each modelled as one normal
   distribution and estimated from it (:mod:`autodip.refine.groups`); by default twice;
4. the means over large areas are set to those of the noisy image;
5. if the noise is white, a small share of what was removed is added back; if it is correlated,
   the result is moved part of the way to the pilot wherever the residual is locally only noise.

Steps 1 to 3 work on the image after a variance-stabilising transform, with the autocorrelation
of its noise.
"""
