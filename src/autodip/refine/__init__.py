"""Refinement: return to the data what an early stop left out, with the fit as the guide.

A fit that is stopped early has no noise yet, nor the finest structure. The noisy image still
has that structure; knowing the noise, and knowing from the fit (the pilot) what the image looks
like, linear estimators take it from there:

1. where the residual, noisy less pilot, is locally stronger than noise is, its excess is given
   back (:mod:`autodip.refine.local`);
2. a pilot-guided Wiener filter of local blocks is averaged with it;
3. groups of similar patches, found in the result so far, are estimated as one normal
   distribution (:mod:`autodip.refine.groups`), twice;
4. the means over large areas are set to those of the noisy image;
5. where noise is white, a small share of what was removed is kept; where it is correlated, the
   pilot is trusted to a share wherever the residual is locally nothing but noise.

All work on the image after a variance-stabilising transform, with the spectrum of its noise.
"""
