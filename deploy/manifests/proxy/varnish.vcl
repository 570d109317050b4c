# Varnish between a TLS proxy and the tracker: a cache of answers that stay, in which readers of new events share
# requests. It belongs at /etc/varnish/default.vcl. The TLS proxy passes Host and X-Forwarded-Proto on.
vcl 4.1;

backend tracker {
    .host = "127.0.0.1";
    .port = "8000";
    .connect_timeout = 3s;
    .first_byte_timeout = 60s;
    # Silence is broken every 15 seconds on streams.
    .between_bytes_timeout = 60s;
}

sub vcl_recv {
    # What operators read is not for the public; Prometheus asks the tracker itself.
    if (req.url ~ "^/(metrics|readyz)($|\?)") {
        return (synth(404));
    }
    if (req.http.Upgrade ~ "(?i)^websocket$") {
        return (pipe);
    }
    # Streams of /events are not shared: only pages (wait, limit) are. Mirrors wait for a checkpoint, each by itself.
    if (req.url ~ "^/log/checkpoint" || (req.url ~ "^/events($|\?)" && req.url !~ "[?&](wait|limit)=")) {
        return (pass);
    }
}

sub vcl_pipe {
    set bereq.http.Upgrade = req.http.Upgrade;
    set bereq.http.Connection = req.http.Connection;
}

sub vcl_backend_response {
    # The tracker marks all that may be stored. Nothing is sent after its time.
    set beresp.grace = 0s;
    if (beresp.http.Cache-Control !~ "public") {
        set beresp.ttl = 0s;
    }
    if (beresp.status != 200) {
        set beresp.ttl = 1s;
        set beresp.uncacheable = true;
        return (deliver);
    }
}

sub vcl_deliver {
    if (obj.hits > 0) {
        set resp.http.X-Cache-Status = "HIT";
    } else {
        set resp.http.X-Cache-Status = "MISS";
    }
}
