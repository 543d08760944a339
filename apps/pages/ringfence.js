/* ringfence for web forms: says while a phone number is typed whether it can exist, and offers the likely correction.

   <script src="https://ringfence.example.com/form/ringfence.js" data-token="rfk_..." defer></script>
   <input type="tel" data-ringfence data-region="US">

   data-token    a token of the role form; visitors can read it, and it is good for nothing else
   data-url      where the service is, if it is not where this script comes from
   data-region   on a field: the country of national numbers; data-region-from names the field that holds it instead

   Each answer is sent to the field as the event "ringfence:checked" (detail: the answer, or null where none came). No
   field is ever blocked: a check that fails says nothing. Texts are in ringfence.texts, ringfence.attach(field, options)
   takes fields that come later. */
(function () {
  "use strict";

  var PAUSE_MS = 400, FEWEST_DIGITS = 7, MOST_SIGNS = 100, MOST_KEPT = 50, WAIT_MS = 8000;
  var script = document.currentScript;
  var home = script && script.src ? new URL("..", script.src).href : location.href;
  var count = 0, quietUntil = 0;

  var texts = {
    good: "This is a complete phone number.",
    active: "This number is in service.",
    invalid: "This is not a complete phone number.",
    gone: "This number seems to be out of service.",
    country: "Please begin with + and the country code.",
    unclear: "This can be read as more than one number.",
    suggestion: "Did you mean {number}?",
    use: "Use it"
  };

  function setting(name, options, field) {
    if (options && options[name] !== undefined) { return options[name]; }
    if (field && field.dataset[name] !== undefined) { return field.dataset[name]; }
    return script && script.dataset[name] !== undefined ? script.dataset[name] : "";
  }

  function digitsOf(text) { return text.replace(/\D/g, "").length; }

  function wordFor(answer) {
    if (answer.status === "invalid") { return texts.invalid; }
    if (answer.status === "unknown") { return answer.reason.indexOf("no_region:") === 0 ? texts.country : texts.unclear; }
    if (answer.status === "disconnected" || answer.status === "suspended" || answer.status === "unreachable") {
      return texts.gone;
    }
    return answer.status === "active" ? texts.active : texts.good;
  }

  function toneFor(answer) {
    if (answer.status === "invalid" || answer.status === "unknown") { return "bad"; }
    return answer.status === "valid" || answer.status === "active" ? "good" : "bad";
  }

  function attach(field, options) {
    if (field.ringfence) { return field.ringfence; }
    var timer = 0, asked = "", running = null, kept = new Map();
    var note = document.createElement("span");
    count += 1;
    note.id = "ringfence-note-" + count;
    note.className = "ringfence-note";
    note.setAttribute("role", "status");
    note.setAttribute("aria-live", "polite");
    field.insertAdjacentElement("afterend", note);
    var describedBy = field.getAttribute("aria-describedby");
    field.setAttribute("aria-describedby", (describedBy ? describedBy + " " : "") + note.id);

    function region() {
      var from = setting("regionFrom", options, field);
      var source = from ? document.querySelector(from) : null;
      return source ? source.value : setting("region", options, field);
    }

    function clear() {
      note.textContent = "";
      note.removeAttribute("data-tone");
      field.removeAttribute("aria-invalid");
    }

    function use(number) {
      field.value = number;
      field.dispatchEvent(new Event("input", { bubbles: true }));
      field.dispatchEvent(new Event("change", { bubbles: true }));
      field.focus();
    }

    function offer(number) {
      var button = document.createElement("button");
      button.type = "button";
      button.className = "ringfence-use";
      button.textContent = texts.use;
      button.setAttribute("aria-label", texts.use + ": " + number);
      button.addEventListener("click", function () { use(number); });
      note.append(" " + texts.suggestion.replace("{number}", number) + " ", button);
    }

    function show(answer) {
      clear();
      if (answer) {
        var tone = toneFor(answer);
        note.textContent = wordFor(answer);
        note.dataset.tone = tone;
        if (tone === "bad") { field.setAttribute("aria-invalid", "true"); }
        if (answer.suggestion && answer.suggestion !== field.value.trim()) { offer(answer.suggestion); }
      }
      field.dispatchEvent(new CustomEvent("ringfence:checked", { bubbles: true, detail: answer }));
    }

    function keep(key, answer) {
      kept.set(key, answer);
      if (kept.size > MOST_KEPT) { kept.delete(kept.keys().next().value); }
    }

    function ask(number, where, key) {
      var control = new AbortController();
      var limit = setTimeout(function () { control.abort(); }, WAIT_MS);
      running = control;
      fetch(new URL("v1/check", setting("url", options, field) || home), {
        method: "POST",
        headers: { "Authorization": "Bearer " + setting("token", options, field), "Content-Type": "application/json" },
        body: JSON.stringify({ number: number, region: where }),
        signal: control.signal,
        credentials: "omit"
      }).then(function (response) {
        if (response.status === 429) {
          quietUntil = Date.now() + 1000 * (Number(response.headers.get("Retry-After")) || 1);
        }
        return response.ok ? response.json() : null;
      }).then(function (answer) {
        if (answer) { keep(key, answer); } else if (asked === key) { asked = ""; }
        if (running === control) { show(answer); }
      }).catch(function () {
        if (asked === key) { asked = ""; }
        if (running === control) { show(null); }
      }).finally(function () {
        clearTimeout(limit);
        if (running === control) { running = null; }
      });
    }

    function check() {
      clearTimeout(timer);
      var number = field.value.trim(), where = region(), key = where + " " + number;
      if (key === asked) { return; }
      asked = key;
      if (running) { running.abort(); running = null; }
      if (!digitsOf(number) || number.length > MOST_SIGNS) { show(null); return; }
      if (kept.has(key)) { show(kept.get(key)); return; }
      if (Date.now() < quietUntil) { asked = ""; show(null); return; }
      ask(number, where, key);
    }

    field.addEventListener("input", function () {
      clearTimeout(timer);
      if (note.textContent) { clear(); asked = ""; }
      if (digitsOf(field.value) >= FEWEST_DIGITS) { timer = setTimeout(check, PAUSE_MS); }
    });
    field.addEventListener("change", check);
    field.addEventListener("blur", check);
    if (setting("regionFrom", options, field)) {
      var source = document.querySelector(setting("regionFrom", options, field));
      if (source) { source.addEventListener("change", function () { if (field.value) { check(); } }); }
    }
    field.ringfence = { check: check, clear: clear };
    return field.ringfence;
  }

  function begin() { document.querySelectorAll("input[data-ringfence]").forEach(function (field) { attach(field); }); }

  window.ringfence = { attach: attach, texts: texts };
  if (document.readyState === "loading") { document.addEventListener("DOMContentLoaded", begin); } else { begin(); }
}());
