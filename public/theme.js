// Runs before the first paint, so that a chosen theme never flashes in the other one. A module would come too late.
(() => {
  const root = document.documentElement;
  try {
    const theme = localStorage.getItem('ticklane.theme');
    if (theme === 'dark' || theme === 'light') root.dataset.theme = theme;
    if (localStorage.getItem('ticklane.colours') === 'cvd') root.dataset.cvd = '';
  } catch {
    // Storage may be forbidden: the system's theme holds.
  }
})();
