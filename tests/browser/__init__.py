"""Pages in a real browser. A package, so that its browser and its explorer end with it."""
