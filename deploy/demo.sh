#!/bin/sh
# The demonstration behind `make demo`: starts duband on a fresh folder under build/demo, replays a regime's year, and says what happened.
# REGIME names the folder under workflows/ (suifenhe-2024).
#   demo.sh local | kafka     on the embedded log, or over a real broker that it starts itself
#   demo.sh stop              stops what an earlier run started
set -eu
cd "$(dirname "$0")/.."
demo=build/demo
workflow=workflows/${REGIME:-suifenhe-2024}
events=$(find "$workflow/example" -name '[0-9]*.jsonl' 2>/dev/null | sort | head -n 1)
year=$(basename "$events" .jsonl)
try=$workflow/example/try.json # an event to send by hand, on one line

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
if [ -z "$events" ]; then
    echo "REGIME=${REGIME:-}: no year to replay; there is one of: $(ls -d workflows/*/example | cut -d/ -f2 | tr '\n' ' ')" >&2
    exit 2
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

echo "duband serves at $url; replaying the year $year of $(basename "$workflow") ($(wc -l <"$events") events) …"
build/dubanctl play "$events" --url "$url" --speed max --until "$((year + 1))-03-01T00:00:00+08:00" ||
    [ $? -eq 1 ] # some were refused, as the regime says; said above
build/dubanctl measures --url "$url" --json --limit 1000000 >"$demo/measures.jsonl"

cat <<END

What happened in that year:
  $(grep -c '"type":"duban.v1.Submission"' "$events") submissions came in
  issued, by warnings and supervision:
END
sed -n 's/.*"measure":"\([^"]*\)".*"title":"\([^"]*\)".*/\2 (\1)/p' "$demo/measures.jsonl" | sort | uniq -c | sort -k1,1nr -k2 |
    while read -r count measure; do echo "    $count × $measure"; done
echo "  the three busiest units:"
sed -n 's/.*"unit":"\([^"]*\)".*/\1/p' "$demo/measures.jsonl" | sort | uniq -c | sort -k1,1nr -k2 | head -n 3 |
    while read -r count unit; do
        echo "    $unit $(sed -n "s/^$unit,\([^,]*\),.*/\1/p" "$workflow/units.csv"): $count measures"
    done
echo
echo "Look at it:   $url/"
if [ -f "$try" ]; then
    cat <<END
Try it. $(sed -n 's/^# //p' "$try")

  curl -sS $url/v1/events -H 'content-type: application/cloudevents+json' -d '$(grep -v '^#' "$try")'
  curl -sS '$url/v1/events/$(sed -n 's/.*"source": *"\([^"]*\)".*/\1/p' "$try" | sed 's|/|%2F|g')/$(sed -n 's/.*"id": *"\([^"]*\)".*/\1/p' "$try")?wait=5s'
END
fi
cat <<END

Stop it:      make demo-stop
END
