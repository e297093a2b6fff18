// Runs before the first paint, so that a chosen look never flashes in another one. A module would come too late. What
// the address asks for holds for this page alone; then comes what was chosen in this browser, then the language's custom.
(() => {
  const root = document.documentElement;
  const chinese = root.lang.startsWith('zh');
  // The first of each is its default. web/model/choices.js has the same list; a test holds them together.
  const choices = {
    theme: ['system', 'dark', 'light'],
    colours: chinese ? ['red', 'green', 'blue'] : ['green', 'red', 'blue'], // that of a rise
    density: ['comfortable', 'compact', 'wall'],
    numbers: chinese ? ['comma', 'space', 'point'] : ['space', 'comma', 'point'],
    volume: ['short', 'full'],
    tz: ['device', 'utc', 'ny'],
    motion: ['system', 'none'],
  };
  let saved = {};
  try {
    const text = localStorage.getItem('ticklane.settings');
    if (text === null) { // what earlier versions kept
      const theme = localStorage.getItem('ticklane.theme');
      const blue = localStorage.getItem('ticklane.colours') === 'cvd';
      saved = { v: 1, ...(theme && { theme }), ...(blue && { colours: 'blue' }) };
      if (theme || blue) localStorage.setItem('ticklane.settings', JSON.stringify(saved));
      localStorage.removeItem('ticklane.theme');
      localStorage.removeItem('ticklane.colours');
    } else {
      saved = JSON.parse(text) ?? {};
    }
  } catch {
    // Storage may be forbidden, or hold garbage: the defaults hold.
  }
  if (saved.v !== 1) saved = {};
  const asked = new URLSearchParams(location.search);
  for (const [name, values] of Object.entries(choices)) {
    const wanted = [name === 'volume' || name === 'motion' ? null : asked.get(name), saved[name], values[0]];
    root.dataset[name] = wanted.find((v) => values.includes(v));
  }
})();
