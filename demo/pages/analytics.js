// Porchlight's events as events of Google Analytics 4. A real page has Google's own tag beside this; here the table is the receiver.
(() => {
  "use strict";

  window.dataLayer = window.dataLayer || [];
  function gtag() {
    window.dataLayer.push(arguments);
  }

  // (1) Each event of the chat becomes an event of GA4. Its names may hold letters, digits and underscores only.
  window.Porchlight = window.Porchlight || [];
  window.Porchlight.push(["on", "*", ({ type, conversation, data }) => {
    gtag("event", type.replace(".", "_"), { conversation_id: conversation, conversation_name: data.name, conversation_ui: data.uiType });
  }]);

  // (2) What Google's tag would read: everything that is pushed, in order.
  const seen = [];
  function show([command, name, parameters]) {
    if (command !== "event") return;
    seen.push(name);
    const rows = document.getElementById("layer-rows");
    if (!rows) return;
    document.getElementById("layer-empty").hidden = true;
    const row = document.createElement("tr");
    row.className = "event";
    for (const text of [name, parameters.conversation_name || "–", parameters.conversation_ui || "–"]) {
      row.insertCell().textContent = text;
    }
    rows.append(row);
  }
  const push = window.dataLayer.push.bind(window.dataLayer);
  window.dataLayer.push = (...items) => {
    const length = push(...items);
    for (const item of items) if (item[0]) show(item);
    return length;
  };
})();
