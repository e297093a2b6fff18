// Preferences of this browser. Storage may be forbidden or full: then a choice holds until the page goes.

/** @param {string} key @returns {string} '' when not set */
export function read(key) {
  try {
    return localStorage.getItem(`ticklane.${key}`) ?? '';
  } catch {
    return '';
  }
}

/** @param {string} key @param {string} value */
export function write(key, value) {
  try {
    localStorage.setItem(`ticklane.${key}`, value);
  } catch {
    // Nothing to do: see above.
  }
}
