// Figures as an operator reads them. A figure that is not known is a dash.

const unknown = "–";
const nbsp = "\u00a0";
const prefixes = ["", "k", "M", "G", "T", "P", "E"];
const whole = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
const percent = new Intl.NumberFormat("en-US", { maximumFractionDigits: 1 });

/** 4200000 → ["4.2", "M"]: two or three digits, so that the width hardly changes. */
function scale(n) {
  let prefix = 0;
  while (n >= 999.5 && prefix < prefixes.length - 1) {
    n /= 1000;
    ++prefix;
  }
  const decimals = n < 99.95 && (prefix > 0 || !Number.isInteger(n)) ? 1 : 0;
  return [n.toFixed(decimals), prefixes[prefix]];
}

function withUnit(n, unit, isAmount) {
  if (n === null) {
    return unknown;
  }
  const [digits, prefix] = scale(n);
  const parts = isAmount ? [digits, prefix + unit] : [digits, prefix, unit];
  return parts.filter(Boolean).join(nbsp);
}

/** 1234567 → "1,234,567" */
export const formatCount = (n) => (n === null ? unknown : whole.format(n));

/** 4200000 → "4.2 M" */
export const formatScaled = (n) => withUnit(n, "", false);

/** 4200000 → "4.2 M frames/s" */
export const formatFrameRate = (n) => withUnit(n, "frames/s", false);

/** 4200000 → "4.2 MB" */
export const formatOctets = (n) => withUnit(n, "B", true);

/** 4200000 → "4.2 MB/s" */
export const formatOctetRate = (n) => withUnit(n, "B/s", true);

/** The share of a part: 0 only if there is nothing, and 100 only if it is all. */
export function formatShare(part, all) {
  if (all === 0) {
    return unknown;
  }
  const share = (part / all) * 100;
  if (share > 0 && share < 0.05) {
    return `<0.1${nbsp}%`;
  }
  if (share < 100 && share > 99.9) {
    return `>99.9${nbsp}%`;
  }
  return `${percent.format(share)}${nbsp}%`;
}

/** 125 → "2 min 5 s": the two largest units. */
export function formatDuration(seconds) {
  if (seconds === null) {
    return unknown;
  }
  const s = Math.max(0, Math.floor(seconds));
  const m = Math.floor(s / 60);
  const h = Math.floor(m / 60);
  if (m === 0) {
    return `${s}${nbsp}s`;
  }
  if (h === 0) {
    return `${m}${nbsp}min ${s % 60}${nbsp}s`;
  }
  if (h < 24) {
    return `${h}${nbsp}h ${m % 60}${nbsp}min`;
  }
  return `${Math.floor(h / 24)}${nbsp}d ${h % 24}${nbsp}h`;
}

/** "2026-11-25T10:03:12.123456Z" → "2026-11-25 10:03:12" */
export const formatTime = (time) => time.slice(0, 19).replace("T", " ");

/** "2026-11-25T10:03:12.123456Z" → "10:03:12 UTC" */
export const formatTimeOfDay = (time) => `${time.slice(11, 19)} UTC`;

/** "buffer_full_oldest" → "buffer full oldest" */
export const formatReason = (key) => key.replaceAll("_", " ");
