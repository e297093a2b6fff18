/** @import { Fault } from './diagnosis.js' */

/**
 * The lines that correct a fault, by proxy; docs/proxies.md has them in whole configurations. A proxy with no line does it right by
 * itself; "no …" names a line to remove.
 * @type {Record<Fault, Record<string, string[]>>}
 */
export const proxyLines = {
  buffered: {
    nginx: ['proxy_buffering off;'],
    Apache: ['ProxyPass … flushpackets=on'],
    HAProxy: ['option http-no-delay', 'no option http-buffer-request'],
    Caddy: ['flush_interval -1'],
    Varnish: ['set beresp.do_stream = true;'],
  },
  compressed: {
    nginx: ['gzip off;', 'proxy_buffering off;'],
    Apache: ['SetEnvIfNoCase Request_URI /sse/subscribe$ no-gzip'],
    HAProxy: ['no compression type text/event-stream'],
    Caddy: ['encode { match header Content-Type text/html* }'],
    Varnish: ['set beresp.do_gzip = false;'],
  },
  upgrade: {
    nginx: ['proxy_http_version 1.1;', 'proxy_set_header Upgrade $http_upgrade;', 'proxy_set_header Connection "upgrade";'],
    Apache: ['ProxyPass … upgrade=websocket'],
    HAProxy: [],
    Caddy: [],
    Varnish: ['if (req.http.Upgrade) { return (pipe); }', 'set bereq.http.Upgrade = req.http.Upgrade;', 'set bereq.http.Connection = req.http.Connection;'],
  },
  host: {
    nginx: ['proxy_set_header Host $http_host;'],
    Apache: ['ProxyPreserveHost On'],
    HAProxy: ['no http-request set-header Host'],
    Caddy: ['no header_up Host'],
    Varnish: [],
  },
  timeout: {
    nginx: ['proxy_read_timeout 60s;'],
    Apache: ['ProxyTimeout 60'],
    HAProxy: ['timeout client 60s', 'timeout server 60s', 'timeout tunnel 60s'],
    Caddy: [],
    Varnish: ['.between_bytes_timeout = 60s;', '-p pipe_timeout=60'],
  },
};
