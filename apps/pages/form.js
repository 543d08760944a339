/* The demo page: takes the token from the field, or from behind the # of the address, which no server ever sees. */
(function () {
  "use strict";

  var token = document.getElementById("token"), state = document.getElementById("token-state");
  var phone = document.getElementById("phone"), country = document.getElementById("country");
  var answer = document.getElementById("answer"), form = document.getElementById("form");
  var named = new URLSearchParams(location.hash.slice(1)).get("token");
  if (named) {
    token.value = named;
    history.replaceState(null, "", location.pathname);
  }

  var options = { regionFrom: "#country" };
  Object.defineProperty(options, "token", { get: function () { return token.value.trim(); } });
  var field = window.ringfence.attach(phone, options);

  function tellToken() { state.textContent = token.value.trim() ? "" : "Nothing is checked without one."; }

  token.addEventListener("input", tellToken);
  form.addEventListener("submit", function (event) { event.preventDefault(); });
  phone.addEventListener("ringfence:checked", function (event) {
    answer.textContent = event.detail ? JSON.stringify(event.detail, null, 2) : "Nothing.";
  });
  document.querySelectorAll("button[data-number]").forEach(function (button) {
    button.addEventListener("click", function () {
      country.value = button.dataset.country;
      phone.value = button.dataset.number;
      phone.focus();
      field.check();
    });
  });
  tellToken();
}());
