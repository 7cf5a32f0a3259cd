#!/bin/sh
# Takes a tar of haproxy.cfg and weights.map from its input, and makes the proxy act on them without losing a connection.
# Says "ok", or what HAProxy finds wrong with them.
new=$(mktemp -d /run/gateway/new.XXXXXX)
if ! tar -x -C "$new" 2>"$new/said"; then cat "$new/said"; rm -rf "$new"; exit 1; fi
cp "$new/weights.map" /run/gateway/weights.map
if haproxy -c -f "$new/haproxy.cfg" >"$new/said" 2>&1; then
  mv "$new/haproxy.cfg" /run/gateway/haproxy.cfg
  echo reload | socat -t 10 - UNIX-CONNECT:/run/gateway/master.sock >/dev/null
  echo ok
else
  cat "$new/said"
fi
rm -rf "$new"
