import { Session } from '../session.js';

/** @import { SessionState } from '../../types.js' */
/** @import { Port } from './hub.js' */

/**
 * Keeps the browser's session for the tabs of a worker, and lets only one user at a time have streams: when the session ends, or
 * another user has signed in, the streams of all earlier tabs end.
 */
export class Users {
  #session;
  #host;
  /** The user of each tab; '' until it is known. @type {Map<Port, string>} */
  #tabs = new Map();
  #user = '';
  #renewals = 0;

  /**
   * @param {ConstructorParameters<typeof Session>[0]} options
   * @param {{ renew: () => void, deny: (why: string) => void }} host renew gives all open streams the rights of the session; deny ends them
   */
  constructor(options, host) {
    this.#host = host;
    this.#session = new Session(options, (state) => this.#changed(state));
  }

  /** Reports the session to a tab from now on. Each new tab may belong to another user, so the session is read again. @param {Port} port */
  watch(port) {
    this.#tabs.set(port, '');
    void this.#session.check().then(() => {
      if (this.#tabs.has(port)) port.postMessage({ session: this.#session.state });
    });
  }

  /** @param {Port} port */
  forget(port) {
    this.#tabs.delete(port);
  }

  /** Whether a tab may open a stream. Waits until its user is known. @param {Port} port @returns {Promise<boolean>} */
  async admits(port) {
    if (this.#tabs.get(port) === '') await this.#session.check();
    const user = this.#tabs.get(port);
    return user === undefined || user === '' || user === this.#user;
  }

  /** Handles that a stream ended or a request was refused, maybe for want of a session. */
  suspect() {
    this.#session.suspect();
  }

  /** Handles the notice that the rights of a stream end soon: it has missed a renewal, unless the session waits for one itself. */
  renew() {
    if (this.#session.due) this.#session.suspect();
    else this.#host.renew();
  }

  /** Handles that the user has signed out in a tab. */
  signOut() {
    this.#host.deny('signed-out');
    void this.#session.check();
  }

  /** @param {SessionState} state */
  #changed(state) {
    const another = state.name === 'valid' && this.#user !== '' && state.subject !== this.#user;
    if (state.name === 'valid') {
      this.#user = state.subject;
      for (const [port, user] of this.#tabs) if (user === '') this.#tabs.set(port, state.subject);
    }
    for (const port of this.#tabs.keys()) port.postMessage({ session: state });
    if (another) this.#host.deny('other-user');
    else if (state.name === 'over') this.#host.deny('session-over');
    else if (state.renewals > this.#renewals) this.#host.renew();
    this.#renewals = state.renewals;
  }
}
