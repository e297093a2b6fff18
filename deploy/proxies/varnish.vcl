# Varnish in front of Ticklane, as /etc/varnish/default.vcl, behind Hitch (hitch.conf), which has TLS. docs/proxies.md explains each line.
# varnishd -f /etc/varnish/default.vcl -a 127.0.0.1:6086,PROXY -p feature=+http2 -p thread_pool_max=10000 -p pipe_timeout=60
vcl 4.1;

probe readyz {
    .url = "/readyz";
    .interval = 1s;
    .window = 2;
    .threshold = 1;
    .initial = 1;
}

backend ticklane {
    .host = "127.0.0.1";
    .port = "3000";
    .between_bytes_timeout = 60s; # above stream.heartbeat
    .probe = readyz;
}

sub vcl_recv {
    set req.http.X-Forwarded-For = client.ip;
    set req.http.X-Forwarded-Proto = "https";
    if (req.http.Upgrade ~ "(?i)websocket") {
        return (pipe);
    }
    # Not the built-in rules for other methods: they pipe unknown ones, and what comes later in a pipe is not seen here.
    if ((req.method != "GET" && req.method != "HEAD") || req.url !~ "^/(assets|static)/") {
        return (pass);
    }
}

sub vcl_pipe {
    set bereq.http.Upgrade = req.http.Upgrade;
    set bereq.http.Connection = req.http.Connection;
}

sub vcl_backend_response {
    if (beresp.http.Content-Type ~ "^(text/html|application/json)") {
        set beresp.do_gzip = true; # never text/event-stream
    }
}
