#!/bin/sh
# The demonstration behind `make demo`: starts duband on a fresh folder under build/demo, replays the year 2024 of suifenhe, and says what happened.
#   demo.sh local | kafka     on the embedded log, or over a real broker that it starts itself
#   demo.sh stop              stops what an earlier run started
set -eu
cd "$(dirname "$0")/.."
demo=build/demo
workflow=workflows/suifenhe-2024
events=$workflow/example/2024.jsonl

stop_process() {
    [ -f "$1" ] || return 0
    pid=$(cat "$1")
    rm -f "$1"
    case $(cat "/proc/$pid/cmdline" 2>/dev/null | tr '\0' ' ') in
    *"$2"*) ;;
    *) return 0 ;; # somebody else's by now
    esac
    kill "$pid"
    flock "$demo/lock" true # held by the daemon as long as it lives
}
stop() {
    stop_process "$demo/duband.pid" duband
    if [ -d "$demo/kafka" ]; then python3 tests/kafka/broker.py stop "$demo/kafka" >/dev/null || true; fi
}

if [ "$1" = stop ]; then
    stop
    echo "Stopped."
    exit 0
fi
stop
rm -rf "$demo"
mkdir -p "$demo"
mkfifo "$demo/ready"

{
    echo "data: $demo/data"
    echo "listen: 127.0.0.1:0"
    echo "time: events"
    echo "log: warn"
    echo "node: demo"
    echo "workflows: [$workflow]"
} >"$demo/duband.yaml"
if [ "$1" = kafka ]; then
    make --no-print-directory kafka-jars
    echo "Starting a Kafka broker …"
    bootstrap=$(python3 tests/kafka/broker.py start "$demo/kafka")
    {
        echo "bus: kafka"
        echo "kafka:"
        echo "  group: demo"
        echo "  properties: {bootstrap.servers: $bootstrap}"
    } >>"$demo/duband.yaml"
    build/dubanctl topics create --bootstrap "$bootstrap"
fi

exec 4>"$demo/lock"
flock 4
build/duband --config "$demo/duband.yaml" --ready-fd 3 3>"$demo/ready" >"$demo/log" 2>&1 &
echo $! >"$demo/duband.pid"
exec 4>&- # the daemon alone holds it now
read -r url <"$demo/ready" || { cat "$demo/log" >&2; echo "duband did not start" >&2; exit 3; }

echo "duband serves at $url; replaying the year 2024 of suifenhe ($(wc -l <"$events") events) …"
build/dubanctl play "$events" --url "$url" --speed max --until 2025-03-01T00:00:00+08:00
build/dubanctl measures --url "$url" --json --limit 1000000 >"$demo/measures.jsonl"
build/dubanctl topics notifications --url "$url" --json >"$demo/notifications.jsonl" 2>/dev/null || : >"$demo/notifications.jsonl"

issued() { grep -c "\"measure\":\"$1\"" "$demo/measures.jsonl" || true; }
submissions=$(grep -c '"type":"duban.v1.Submission"' "$events")
cat <<END

What happened in that year:
  $submissions submissions came in
  $(issued late-notice) reports were late, $(issued duty-missed) monthly calls were missed
  $(issued warning) warnings (预警) were issued
  $(issued yellow-card) yellow cards (黄牌) and $(issued red-card) red cards (红牌) were hung
  $(issued lift) cards were lifted (摘牌)
  The three busiest units:
END
sed -n 's/.*"unit":"\(u-[0-9]*\)".*/\1/p' "$demo/measures.jsonl" | sort | uniq -c | sort -k1,1nr -k2 | head -n 3 |
    while read -r count unit; do
        echo "    $unit $(sed -n "s/^$unit,\([^,]*\),.*/\1/p" $workflow/units.csv): $count measures"
    done
cat <<END

Look at it:   $url/
Try it. This event says that u-03 lags badly on a matter; it hangs a yellow card on it at once, with a limit of 30 days:

  curl -sS $url/v1/events -H 'content-type: application/cloudevents+json' -d '{
    "specversion": "1.0", "id": "try-1", "source": "bureau/suifenhe", "type": "duban.v1.Fact",
    "data": {"workflow": "suifenhe-2024", "fact": {"kind": "slow", "reporter": "sfh-syj",
      "fields": {"unit": "u-03", "subject": "水电气联合报装", "degree": "严重滞后"}}}}'
  curl -sS '$url/v1/events/bureau%2Fsuifenhe/try-1?wait=5s'

Stop it:      make demo-stop
END
