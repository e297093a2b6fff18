import { address, base, onUnauthorized, ownName, request } from '../../browser/http.js';
import { platform } from '../../lane/platform.js';
import { timeOfDay } from '../../model/formats.js';
import { sessionNotice } from '../../model/sessionNotice.js';
import { t } from '../../text.js';
import { el, setText } from '../common/dom.js';

/** @import { Feed } from '../../lane/feed.js' */
/** @import { Session } from '../../lane/session.js' */
/** @import { SharedConnections } from '../../lane/sharedConnections.js' */
/** @import { SessionState } from '../../types.js' */

/**
 * The signed-in user of a page: ends the page's streams when the session is over or another user has signed in, renews it where no
 * worker does, and fills in the settings' line about it.
 */
export class PageSession {
  #feeds;
  #share;
  /** Of a page without a worker. @type {Promise<Session> | null} */
  #own = null;
  /** @type {SessionState | null} */
  #state = null;
  #user = ''; // whose data the page has
  /** Why the page has no session; '' while it has one. */
  #denied = '';
  /** @type {BroadcastChannel | null} */
  #channel = null;

  /** @param {{ feeds: () => readonly Feed[], share?: SharedConnections | null }} page feeds are those in use; share: the connections of a worker, which keeps the session */
  constructor({ feeds, share = null }) {
    this.#feeds = feeds;
    this.#share = share;
    onUnauthorized(() => this.suspect()); // the server may have been restarted with sessions
    const form = document.getElementById('account-form');
    if (!form) return; // the template has it if the server has sessions
    this.#listen();
    form.addEventListener('submit', (e) => {
      e.preventDefault(); // the page's policy allows no forms
      void this.#signOut();
    });
    addEventListener('pagehide', () => this.#channel?.close()); // an open one may keep the page out of the back/forward cache
    addEventListener('pageshow', (e) => {
      if (!e.persisted) return;
      this.#listen();
      this.#check(true);
    });
    if (share) share.onSession = (state) => (state ? this.#take(state) : this.#check(true));
    if (share?.session) this.#take(share.session);
    if (!share?.works) this.#check(true);
  }

  /** Listens to the other pages of this browser: a user has signed in or out there. */
  #listen() {
    if (!globalThis.BroadcastChannel) return;
    this.#channel = new BroadcastChannel(ownName('ticklane.session'));
    this.#channel.addEventListener('message', ({ data }) => {
      if (data === 'out') this.#deny('signed-out');
      else if (this.#denied) this.#check(true);
    });
  }

  /** Handles that a stream ended or a request was refused, maybe for want of a session. */
  suspect() {
    this.#check('suspect');
  }

  /** Handles a message of a stream: the notice that its rights end soon. @param {import('../../types.js').Message} m */
  take(m) {
    if (m.T === 'auth' && m.status === 'expiring') for (const feed of this.#feeds()) feed.renew();
  }

  /** The notice about the session; null while there is none. @returns {import('../../model/notice.js').Notice | null} */
  get notice() {
    const ended = this.#feeds().find((feed) => feed.state.name === 'denied')?.state.reason ?? '';
    // What the user did comes before its effect: signing out revokes the session.
    const denied = ['other-user', 'signed-out'].includes(this.#denied) ? this.#denied : ended || this.#denied;
    const found = sessionNotice({ denied, user: this.#state?.subject ?? '', session: this.#state, wall: Date.now() });
    return found && { ...found, act: () => (found.action === 'reload' ? location.reload() : location.assign(signIn())) };
  }

  /** Reads the session again: in the worker, or here if there is none. @param {true | 'suspect'} why */
  #check(why) {
    if (this.#share?.works) {
      this.#share.checkSession(why);
      return;
    }
    this.#own ??= import('../../lane/session.js').then(({ Session }) => new Session({ ...platform(), locks: navigator.locks }, (state) => this.#take(state)));
    void this.#own.then((session) => (why === 'suspect' ? session.suspect() : void session.check()));
  }

  /** @param {SessionState} state */
  #take(state) {
    const renewed = state.renewals > (this.#state?.renewals ?? state.renewals);
    this.#state = state;
    if (state.name === 'valid' && this.#user === '') {
      this.#user = state.subject;
      this.#channel?.postMessage('in');
    }
    if (state.name === 'over') this.#deny('session-over');
    else if (state.name === 'valid' && state.subject !== this.#user) this.#deny('other-user');
    else if (state.name === 'valid' && renewed) this.#resume();
    this.#paint(state);
    this.#paintBanner();
  }

  /** Ends the session in all tabs, then shows the page to sign in. */
  async #signOut() {
    const response = await request('/sign-out', { method: 'POST' }).catch(() => null);
    if (!response?.ok && response?.status !== 401) {
      const [, end] = document.getElementById('account')?.children ?? [];
      if (end) setText(end, t('session.signOutFailed'));
      return;
    }
    this.#channel?.postMessage('out');
    this.#share?.checkSession('out');
    this.#deny('signed-out');
    location.assign(address(response?.status === 202 ? '/sign-in?signed-out=here' : '/sign-in')); // 202: other servers go on
  }

  /** @param {string} why */
  #deny(why) {
    if (!['other-user', 'signed-out'].includes(this.#denied)) this.#denied = why;
    for (const feed of this.#feeds()) feed.deny(why);
    this.#paintBanner();
  }

  /** Handles a session that ends later than before. */
  #resume() {
    this.#denied = '';
    for (const feed of this.#feeds()) {
      if (feed.state.name === 'denied') feed.start();
      else feed.renew();
    }
  }

  /** Shows the notice on a page that has no banner. */
  #paintBanner() {
    if (document.getElementById('banner')) return;
    document.getElementById('session-banner')?.remove();
    const { notice } = this;
    if (!notice) return;
    const button = el('button', { type: 'button' }, notice.button);
    button.addEventListener('click', () => notice.act?.());
    document.querySelector('header')?.after(el('section', { id: 'session-banner', class: `banner ${notice.level === 'bad' ? 'down' : ''}`, role: 'status' }, el('p', {}, notice.text), button));
  }

  /** Shows the user in the settings. @param {SessionState} state */
  #paint({ name, subject, ends, final }) {
    const line = document.getElementById('account'); // missing if the server had no sessions when the page was loaded
    if (!line) return;
    line.hidden = name !== 'valid';
    const [user, end] = line.children;
    if (!user || !end || name !== 'valid') return;
    setText(user, t('session.as', { user: subject }));
    setText(end, final && ends !== null ? t('session.until', { time: timeOfDay(ends).slice(0, 5) }) : '');
  }
}

/** The address of the sign-in page, from which the user returns to this page. */
const signIn = () => address(`/sign-in?${new URLSearchParams({ next: location.pathname.slice(base.length) + location.search })}`);
