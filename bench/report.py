"""What the benchmark found, for people: a table, a chart."""

import os
import platform
from pathlib import Path

HEADER_BYTES = 20


def machine():
    model = ""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
            break
    return {"processor": model, "cores": os.cpu_count(), "kernel": ".".join(platform.release().split(".")[:2])}


def million(value):
    return f"{value / 1e6:.1f} M"


def table(found):
    """Rows of (what, figures, what is compared, what is to be reached)."""
    rows = []
    to_reach = {"64": "0.60", "1024": "0.80"}
    for payload, one in found.get("ingest", {}).items():
        rows.append((f"ingest, {payload}-octet payloads",
                     f"{million(one['frames_per_s'])} frames/s, {one['octets_per_s'] / 1e9:.1f} GB/s, "
                     f"{one['cpu_s_per_million']:.3f} CPU s per million frames",
                     f"{one['ratio']:.2f} of the ceiling ({million(one['ceiling_frames_per_s'])}), "
                     f"{one['ratio_to_keeping']:.2f} of a loop that keeps as much",
                     to_reach.get(str(payload), "")))
    for count, one in found.get("uplinks", {}).items():
        rows.append((f"{count} uplink{'s' if int(count) > 1 else ''}", f"{million(one['frames_per_s'])} frames/s",
                     f"{one['share_of_48']:.2f} of the rate at 48", "0.5" if str(count) == "10000" else ""))
    for count, one in found.get("channel", {}).items():
        rows.append((f"channel, {count} producer{'s' if int(count) > 1 else ''}",
                     f"{million(one['batches'])} frames/s in batches, {million(one['frames'])} singly; "
                     f"concurrent_channel naively {million(one['naive'])}, under a lock {million(one['lock'])}",
                     f"batches {one['batches_over_lock']:.0f} × the lock", "10 ×" if str(count) == "48" else ""))
    if "latency" in found:
        rows.append(("write to buffer, at 48,000 frames/s", percentiles(found["latency"]),
                     f"p99 {found['latency']['p99_us'] / 1000:.2f} ms", "1 ms"))
    labels = {"idle": "depth, idle", "loaded": "depth, full load", "echo_loaded": "an idle process's echo, full load"}
    for load, one in found.get("depth", {}).items():
        rows.append((labels[load], percentiles(one), f"p99 {one['p99_us'] / 1000:.2f} ms",
                     "5 ms" if load == "loaded" else ""))
    for what, one in found.get("depth_beside", {}).items():
        rows.append((f"depth beside {what}", percentiles(one), f"p99 {one['p99_us'] / 1000:.2f} ms", "20 ms"))
    if "drain" in found:
        one = found["drain"]
        rows.append(("binary drain", f"{one['octets_per_s'] / 1e9:.1f} GB/s",
                     f"{one['ratio']:.2f} of a bare socket", "0.7"))
    if "onlookers" in found:
        one = found["onlookers"]
        rows.append(("ingest, watched", f"{million(one['watched_frames_per_s'])} frames/s with 1000 tails that do not read, "
                     f"1000 slow HTTP clients, 10 scrapes/s of {one['scrape_p50_ms']:.0f} ms (at most "
                     f"{one['scrape_max_ms']:.0f}); {one['resident_peak'] / 1e6:.0f} MB resident at most, "
                     f"{one['resident_before'] / 1e6:.0f} before",
                     f"{one['ratio']:.2f} of the rate without", "0.9"))
    for count, one in found.get("sinks", {}).items():
        rows.append((f"into JetStream, {'one server' if int(count) == 1 else 'a cluster of three, R3'}",
                     f"{million(one['frames_per_s'])} frames/s, {one['octets_per_s'] / 1e6:.0f} MB/s out of the buffer, "
                     f"{one['with_uplinks_octets_per_s'] / 1e6:.0f} MB/s while it is received; messages of "
                     f"{one['message_octets'] / 1e3:.0f} kB",
                     f"{one['ratio']:.2f} of the client library alone ({one['library_octets_per_s'] / 1e6:.0f} MB/s)",
                     "0.8" if int(count) == 1 else ""))
    for one in found.get("far", []):
        rows.append((f"into JetStream, {one['round_trip_s'] * 1000:.0f} ms away and back",
                     f"{one['octets_per_s'] / 1e6:.2f} MB/s from {one['satellites']} satellite(s), messages of up to "
                     f"{one['batch_max_bytes'] / 1024:.0f} KiB, {one['max_in_flight_bytes'] / 1024 ** 2:.0f} MiB in flight",
                     f"{one['octets_per_s'] / one['limit_octets_per_s']:.2f} of what a round trip lets through", ""))
    if "memory" in found:
        one = found["memory"]
        rows.append(("resident, idle", f"{one['idle_bytes'] / 1e6:.1f} MB", "", ""))
        rows.append(("resident, idle uplink", "of 10,000", f"{one['per_idle_uplink_bytes']:.0f} octets", "4096"))
        for kind, label, bound in (("lone_frames", "one 80-octet frame a read", "1.5 ×"),
                                   ("bulk", "80-octet frames in bulk", ""),
                                   ("left_behind", "leases of one 4 KiB batch of each slab", "2 ×")):
            if kind not in one:
                continue
            rows.append((f"resident, {label}", f"{one[kind]['octets_held'] / 1e6:.0f} MB held",
                         f"{one[kind]['resident_over_octets']:.2f} × the octets", bound))
        rows.append(("resident, peak", "1024-octet payloads, 48 uplinks, buffer full",
                     f"{one['peak_bytes'] / 1e6:.0f} MB", ""))
    return rows


def percentiles(one):
    return f"p50 {one['p50_us']:.0f} µs, p99.9 {one['p999_us']:.0f} µs, max {one['max_us']:.0f} µs"


def print_table(rows):
    widths = [max(len(row[i]) for row in rows) for i in range(3)]
    for *cells, bound in rows:
        line = "  ".join(cell.ljust(width) for cell, width in zip(cells, widths))
        print(f"{line}  {'to reach: ' + bound if bound else ''}".rstrip())


def write_markdown(found, file):
    """The table for docs/develop/performance.md."""
    machine = found["machine"]
    lines = [f"Taken on {machine['cores']} cores of {machine['processor']}, Linux {machine['kernel']}.", "",
             "| | figures | compared | to reach |", "|---|---|---|---|"]
    lines += [f"| {' | '.join(row)} |" for row in table(found)]
    file.write_text("\n".join(lines) + "\n")


def chart(found, file):
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot

    figure, (left, right) = pyplot.subplots(1, 2, figsize=(10, 4))
    payloads = list(found["ingest"])
    for offset, key, label, color in ((-0.27, "ceiling_frames_per_s", "reads and discards", "#d0d7de"),
                                      (0, "keeping_frames_per_s", "reads and keeps as much", "#8c959f"),
                                      (0.27, "frames_per_s", "meridiand", "#1f6feb")):
        left.bar([i + offset for i in range(len(payloads))],
                 [found["ingest"][p][key] * (HEADER_BYTES + int(p)) / 1e9 for p in payloads],
                 width=0.25, color=color, label=label)
    left.set_xticks(range(len(payloads)), payloads)
    left.set(title="Ingest, 48 uplinks", xlabel="octets of payload", ylabel="GB/s")
    left.legend(frameon=False, loc="upper left", ncols=1)
    left.set_ylim(top=1.35 * left.get_ylim()[1])
    producers = list(found["channel"])
    for variant, label, color in (("batches", "channel, batches", "#1f6feb"),
                                  ("frames", "channel, single frames", "#54aeff"),
                                  ("lock", "deque under a lock", "#cf222e"),
                                  ("naive", "concurrent_channel, naively", "#8c959f")):
        right.plot([str(p) for p in producers],
                   [found["channel"][p][variant] / 1e6 for p in producers],
                   marker="o", color=color, label=label)
    right.set(title="Channel against lock", xlabel="producers", ylabel="million frames/s",
              yscale="log")
    right.legend(frameon=False)
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    figure.savefig(file, metadata={"Date": None})
