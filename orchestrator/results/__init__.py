"""Where the results of studies are, and what is made of them: frames, reports, exports, pages on this machine."""
