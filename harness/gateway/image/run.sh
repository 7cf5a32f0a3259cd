#!/bin/sh
# The proxy, and beside it the agent on port 9902 that takes its configurations.
set -e
mkdir -p /run/gateway
touch /run/gateway/weights.map
cat > /run/gateway/haproxy.cfg <<'CFG'
global
  stats socket ipv4@*:9901 level admin
defaults
  mode http
  timeout connect 1s
  timeout client 10s
  timeout server 10s
frontend entry
  bind *:8080
  http-request return status 503
CFG
# -t: once the sender has said everything, wait this long for what the agent says.
socat -t 60 TCP-LISTEN:9902,fork,reuseaddr EXEC:/usr/local/bin/configure.sh &
exec haproxy -W -db -S /run/gateway/master.sock -f /run/gateway/haproxy.cfg
