// Times as Slack writes them, in the reader's own zone.

import { h } from "./dom.js";

const format = (at, tz, options) => new Intl.DateTimeFormat("en-US", { timeZone: tz || "UTC", ...options }).format(at);

export const clock = (seconds, tz) => format(new Date(seconds * 1000), tz, { hour: "numeric", minute: "2-digit" });
const clockSeconds = (at, tz) => format(at, tz, { hour: "numeric", minute: "2-digit", second: "2-digit" });
export const dayKey = (seconds, tz) => format(new Date(seconds * 1000), tz, { dateStyle: "short" });

function ordinal(day) {
  const tens = day % 100;
  if (tens >= 11 && tens <= 13) return `${day}th`;
  return `${day}${{ 1: "st", 2: "nd", 3: "rd" }[day % 10] ?? "th"}`;
}

function longDate(at, tz, { weekday = false, month = "long" } = {}) {
  const part = (options) => format(at, tz, options);
  const words = `${part({ month })} ${ordinal(Number(part({ day: "numeric" })))}, ${part({ year: "numeric" })}`;
  return weekday ? `${part({ weekday: "long" })}, ${words}` : words;
}

// "Today", "Yesterday", "Tomorrow", or null.
function relative(at, tz) {
  const key = (moment) => format(moment, tz, { dateStyle: "short" });
  const now = Date.now();
  for (const [days, word] of [[0, "today"], [-1, "yesterday"], [1, "tomorrow"]]) {
    if (key(new Date(now + days * 86400000)) === key(at)) return word;
  }
  return null;
}

const capital = (word) => word[0].toUpperCase() + word.slice(1);

export function dayName(seconds, tz) {
  const at = new Date(seconds * 1000);
  const word = relative(at, tz);
  if (word) return capital(word);
  const part = (options) => format(at, tz, options);
  return `${part({ weekday: "long" })}, ${part({ month: "long" })} ${ordinal(Number(part({ day: "numeric" })))}`;
}

export const fullTime = (seconds, tz) => `${longDate(new Date(seconds * 1000), tz)} at ${clockSeconds(new Date(seconds * 1000), tz)}`;

function ago(at) {
  const seconds = Math.round((at - Date.now()) / 1000);
  const units = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];
  const [unit, size] = units.find(([, s]) => Math.abs(seconds) >= s) ?? units[3];
  return new Intl.RelativeTimeFormat("en", { numeric: "auto" }).format(Math.round(seconds / size), unit);
}

const TOKENS = {
  date_num: (at, tz) => new Intl.DateTimeFormat("en-CA", { timeZone: tz || "UTC" }).format(at),
  date: (at, tz) => longDate(at, tz),
  date_short: (at, tz) => format(at, tz, { month: "short", day: "numeric", year: "numeric" }),
  date_long: (at, tz) => longDate(at, tz, { weekday: true }),
  date_pretty: (at, tz) => relative(at, tz) ?? longDate(at, tz),
  date_short_pretty: (at, tz) => relative(at, tz) ?? TOKENS.date_short(at, tz),
  date_long_pretty: (at, tz) => relative(at, tz) ?? longDate(at, tz, { weekday: true }),
  time: (at, tz) => format(at, tz, { hour: "numeric", minute: "2-digit" }),
  time_secs: (at, tz) => clockSeconds(at, tz),
  ago: (at) => ago(at),
};

// What Slack does not do: a moment of the next hour counts down, beside its words (as the style sheet's content, not as text).
function countDown(time) {
  const left = Math.ceil(Number(time.dataset.at) - Date.now() / 1000);
  if (left <= 0 || left >= 3600) delete time.dataset.left;
  else time.dataset.left = left < 60 ? `${left} s` : `${Math.floor(left / 60)} min ${left % 60} s`;
}

setInterval(() => document.querySelectorAll("time[data-at]").forEach(countDown), 1000);

// `<!date^seconds^format^link|fallback>` for a reader's zone; an unreadable one shows its fallback.
export function dateToken(target, fallback, tz) {
  const [, seconds, pattern, address] = target.split("^");
  const at = new Date(Number(seconds) * 1000);
  if (!pattern || Number.isNaN(at.getTime())) return fallback;
  const said = pattern.replace(/\{(\w+)\}/g, (all, name) => (TOKENS[name] ? TOKENS[name](at, tz) : all));
  const words = /^\{date(_short|_long)?_pretty\}/.test(pattern) ? capital(said) : said;
  const time = h("time", { datetime: at.toISOString(), title: fullTime(Number(seconds), tz), data: { at: seconds } }, words);
  countDown(time);
  if (address && /^https?:\/\//.test(address)) return h("a", { href: address, target: "_blank", rel: "noopener" }, time);
  return time;
}

// Unix seconds as the value of a datetime-local input in a zone.
export function localInput(seconds, tz) {
  const parts = new Intl.DateTimeFormat("en-CA", {
    timeZone: tz || "UTC", year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", hourCycle: "h23",
  }).formatToParts(new Date(seconds * 1000));
  const of = Object.fromEntries(parts.map((p) => [p.type, p.value]));
  return `${of.year}-${of.month}-${of.day}T${of.hour}:${of.minute}`;
}
