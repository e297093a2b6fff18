/* baseline.c: the least work that a server can do. It answers a handshake, and then only write(2)s the same prepared
 * bytes to every socket: no log, no topics, no heartbeat, no positions. Its cost is the kernel's; the cost of a real
 * server above it is that server's own work.
 *
 * usage: baseline PORT RATE JOIN SNDBUF
 *   RATE    ticks/s, each due at anchor + k/RATE
 *   JOIN    0: one write per tick; 1: one write for everything that is due
 *   SNDBUF  send buffer of each socket in bytes; 0: the kernel's default
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum { SSE, WS, LANES };
enum { MOST = 1 << 16, ROOM = 64 << 10, TICK = 320 };

static int fds[LANES][MOST], count[LANES];
static char bytes[LANES][ROOM];
static int length[LANES];

/* The response to the generator's key, which is the example of RFC 6455. */
static const char ws_answer[] =
	"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
	"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
static const char sse_answer[] =
	"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-store\r\n"
	"Transfer-Encoding: chunked\r\n\r\n";

static void die(const char *what) { perror(what); exit(1); }

static int64_t now_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* add appends tick seq to the bytes of both lanes, framed as Ticklane does, of the length of a fresh Ticklane's tick with 50 symbols. */
static void add(int64_t seq, int64_t due)
{
	char json[TICK], event[TICK + 64];
	int n = snprintf(json, sizeof json,
		"{\"T\":\"q\",\"S\":\"AAPL\",\"bp\":187.21,\"bs\":30,\"ap\":187.24,\"as\":5,\"p\":187.22,"
		"\"v\":4815,\"t\":%lld,\"n\":%lld,\"i\":%lld}", (long long)due, (long long)(1 + seq / 50), (long long)seq);
	char *w = bytes[WS] + length[WS];
	*w++ = (char)0x81;
	if (n < 126) {
		*w++ = (char)n;
	} else {
		*w++ = 126; *w++ = (char)(n >> 8); *w++ = (char)n;
	}
	memcpy(w, json, n);
	length[WS] = (int)(w + n - bytes[WS]);
	int e = snprintf(event, sizeof event, "data: %s\nid: 9c4a0d2f-%lld\n\n", json, (long long)seq);
	length[SSE] += sprintf(bytes[SSE] + length[SSE], "%x\r\n%s\r\n", e, event);
}

/* put writes n bytes. It waits for a full socket: slow clients may delay the others here. */
static int put(int fd, const char *b, int n)
{
	while (n > 0) {
		ssize_t w = write(fd, b, n);
		if (w >= 0) { b += w; n -= (int)w; continue; }
		if (errno == EINTR) continue;
		struct pollfd p = { fd, POLLOUT, 0 };
		if (errno != EAGAIN || poll(&p, 1, 2000) != 1) return -1;
	}
	return 0;
}

/* send_all writes to the lanes in alternating order, so that neither is always last. */
static void send_all(int64_t seq)
{
	for (int turn = 0; turn < LANES; turn++) {
		int lane = (int)((seq + turn) % LANES);
		for (int i = 0; i < count[lane];) {
			if (put(fds[lane][i], bytes[lane], length[lane]) == 0) { i++; continue; }
			close(fds[lane][i]);
			fds[lane][i] = fds[lane][--count[lane]];
		}
	}
	length[SSE] = length[WS] = 0;
}

/* answer reads a request, which the generator sends in one segment, and subscribes the client. */
static void answer(int poller, int fd)
{
	char request[4096];
	ssize_t n = read(fd, request, sizeof request - 1);
	if (n < 0 && errno == EAGAIN) return;
	epoll_ctl(poller, EPOLL_CTL_DEL, fd, NULL);
	if (n <= 0) { close(fd); return; }
	request[n] = 0;
	int lane = strcasestr(request, "upgrade: websocket") ? WS : SSE;
	const char *a = lane == WS ? ws_answer : sse_answer;
	if (count[lane] == MOST || put(fd, a, (int)strlen(a)) != 0) { close(fd); return; }
	fds[lane][count[lane]++] = fd;
}

int main(int argc, char **argv)
{
	if (argc != 5) {
		fprintf(stderr, "usage: baseline PORT RATE JOIN SNDBUF\n");
		return 2;
	}
	double rate = atof(argv[2]);
	int join = atoi(argv[3]), sndbuf = atoi(argv[4]), one = 1;
	struct rlimit files;
	signal(SIGPIPE, SIG_IGN);
	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);

	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(atoi(argv[1])) };
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (sndbuf) setsockopt(listener, SOL_SOCKET, SO_SNDBUF, &sndbuf, sizeof sndbuf);
	if (bind(listener, (struct sockaddr *)&at, sizeof at) || listen(listener, 4096)) die("listen");

	int poller = epoll_create1(0), timer = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK);
	struct epoll_event e = { EPOLLIN, { .fd = listener } };
	epoll_ctl(poller, EPOLL_CTL_ADD, listener, &e);
	e.data.fd = timer;
	epoll_ctl(poller, EPOLL_CTL_ADD, timer, &e);

	int64_t anchor = now_us(), seq = 0; /* tick k is due at anchor + k/rate */
	for (;;) {
		int64_t due = rate > 0 ? anchor + (int64_t)((seq + 1) * 1e6 / rate) : INT64_MAX;
		int wait = -1;
		if (rate > 0 && due <= now_us()) {
			wait = 0; /* behind: only accept new clients */
		} else if (rate > 0) {
			struct itimerspec t = { .it_value = { due / 1000000, due % 1000000 * 1000 } };
			timerfd_settime(timer, TFD_TIMER_ABSTIME, &t, NULL);
		}
		struct epoll_event got[64];
		int n = epoll_wait(poller, got, 64, wait);
		if (n < 0 && errno != EINTR) die("epoll_wait");
		for (int i = 0; i < n; i++) {
			int fd = got[i].data.fd;
			if (fd == timer) {
				uint64_t gone;
				if (read(timer, &gone, sizeof gone) < 0 && errno != EAGAIN) die("timer");
			} else if (fd != listener) {
				answer(poller, fd);
			} else {
				while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
					setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
					e.data.fd = fd;
					epoll_ctl(poller, EPOLL_CTL_ADD, fd, &e);
				}
			}
		}
		while (rate > 0 && due <= now_us()) {
			add(++seq, due);
			due = anchor + (int64_t)((seq + 1) * 1e6 / rate);
			if (!join) break; /* one tick per write */
			if (length[SSE] > ROOM - 2 * TICK || length[WS] > ROOM - 2 * TICK) break;
		}
		if (length[WS]) send_all(seq);
	}
}
