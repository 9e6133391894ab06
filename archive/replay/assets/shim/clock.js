// A page's clock begins at the time of its capture and runs on, and its dice fall the same each time it is shown, so that
// what it asks for by time or by chance is what was captured.
//
// crypto.getRandomValues stays as it is: a page that makes keys must not give the same ones to all its readers.
const NativeDate = self.Date, realNow = NativeDate.now, utc = NativeDate.UTC, { floor, imul } = Math;
const timeOrigin = getter(proto("Performance"), "timeOrigin");
let shift = 0;
begin(() => {
  const t = facts.time + slice("00000101000000", facts.time.length), part = (from, to) => +slice(t, from, to);
  const captured = utc(part(0, 4), part(4, 6) - 1, part(6, 8), part(8, 10), part(10, 12), part(12, 14));
  shift = captured - floor(timeOrigin(self.performance));
});
const now = () => realNow() + shift;
const dateText = free(NativeDate.prototype.toString);

instead("Date", (args, as, native) => construct(native, args.length === 0 ? [now()] : args, as), () => dateText(new NativeDate(now())));
method(NativeDate, "now", now);

// Formats without a date mean now.
const format = proto("Intl") || self.Intl.DateTimeFormat.prototype;
const formats = new WeakMap(); // of native bound functions
property(format, "format", { get: (native) => {
  let bound = weakGet(formats, native);
  if (!bound) {
    bound = disguise({ f(date) { return native(date === undefined ? now() : date); } }.f, native);
    weakSet(formats, native, bound);
  }
  return bound;
} });
before(format, "formatToParts", (args) => { if (args[0] === undefined) args[0] = now(); });

const { Temporal } = self;
if (Temporal) {
  const instant = Temporal.Instant.fromEpochMilliseconds, zoned = free(Temporal.Instant.prototype.toZonedDateTimeISO);
  const { timeZoneId } = Temporal.Now;
  const zone = (args) => zoned(instant(now()), args.length > 0 && args[0] !== undefined ? args[0] : timeZoneId());
  method(Temporal.Now, "instant", () => instant(now()));
  method(Temporal.Now, "zonedDateTimeISO", (it, args) => zone(args));
  for (const [name, part] of [["plainDateTimeISO", "toPlainDateTime"], ["plainDateISO", "toPlainDate"], ["plainTimeISO", "toPlainTime"]]) {
    const of = free(Temporal.ZonedDateTime.prototype[part]);
    method(Temporal.Now, name, (it, args) => of(zone(args)));
  }
}

// performance counts from the same time.
property(proto("Performance"), "timeOrigin", { get: (v) => v + shift });
const timing = proto("PerformanceTiming");
for (const p of timing ? ownKeys(timing) : []) property(timing, p, { get: (v) => (typeof v === "number" && v > 0 ? v + shift : v) });

// The dice: sfc32, sown with the page's URL and time.
const sow = (text) => {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = imul(h ^ charCode(text, i), 0x01000193);
  return h | 0;
};
const sown = () => {
  let a = sow(facts.time + " " + facts.url), b = sow(facts.url), c = 0x9e3779b9 | 0, d = 1;
  const next = () => {
    const t = (((a + b) | 0) + d) | 0;
    d = (d + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + t) | 0;
    return t >>> 0;
  };
  for (let i = 0; i < 15; i++) next();
  return next;
};
let roll = null;
begin(() => { roll = sown(); });
method(Math, "random", () => ((roll() >>> 5) * 67108864 + (roll() >>> 6)) / 9007199254740992);
