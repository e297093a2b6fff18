// Runs before the first paint, so that the page does not flash in another theme, and before every other script. Settings in
// the address apply to this page only; then come those saved in this browser, then the defaults of the language.
(() => {
  const root = document.documentElement;
  const chinese = root.lang.startsWith('zh');
  // The first value is the default. A test compares this list with web/model/choices.js.
  const choices = {
    theme: ['system', 'dark', 'light'],
    colours: chinese ? ['red', 'green', 'blue'] : ['green', 'red', 'blue'], // of a rise
    density: ['comfortable', 'compact', 'wall'],
    numbers: chinese ? ['comma', 'space', 'point'] : ['space', 'comma', 'point'],
    volume: ['short', 'full'],
    tz: ['device', 'utc', 'ny'],
    motion: ['system', 'none'],
    sound: ['off', 'on'],
    shortcuts: ['on', 'off'],
  };
  let saved = {};
  // As ownName in web/browser/http.js.
  const path = new URL('..', document.currentScript.src).pathname.slice(0, -1);
  const key = path ? `${path}:ticklane.settings` : 'ticklane.settings';
  try {
    const text = localStorage.getItem(key);
    if (text === null && path === '') { // keys of earlier versions
      const theme = localStorage.getItem('ticklane.theme');
      const blue = localStorage.getItem('ticklane.colours') === 'cvd';
      saved = { v: 1, ...(theme && { theme }), ...(blue && { colours: 'blue' }) };
      if (theme || blue) localStorage.setItem(key, JSON.stringify(saved));
      localStorage.removeItem('ticklane.theme');
      localStorage.removeItem('ticklane.colours');
    } else {
      saved = JSON.parse(text) ?? {};
    }
  } catch {
    // Storage is forbidden or invalid: use the defaults.
  }
  if (saved.v !== 1) saved = {};
  const query = new URLSearchParams(location.search);
  for (const [name, values] of Object.entries(choices)) {
    const candidates = [['volume', 'motion', 'sound', 'shortcuts'].includes(name) ? null : query.get(name), saved[name], values[0]];
    root.dataset[name] = candidates.find((v) => values.includes(v));
  }

  // Plots and dates use the browser's language, and Intl throws for one that is no language tag, such as "en-US@posix". What
  // is before the "@" is used instead, else the page's language.
  const tag = (language) => {
    try {
      return Intl.getCanonicalLocales(String(language).split(/[@.]/)[0].replaceAll('_', '-'))[0];
    } catch {
      return undefined;
    }
  };
  const languages = [...(navigator.languages ?? [])];
  if ([navigator.language, ...languages].every((l) => l && tag(l)?.toLowerCase() === l.toLowerCase())) return;
  Object.defineProperty(navigator, 'language', { value: tag(navigator.language) ?? root.lang, configurable: true });
  Object.defineProperty(navigator, 'languages', { value: Object.freeze(languages.map(tag).filter(Boolean)), configurable: true });
})();
