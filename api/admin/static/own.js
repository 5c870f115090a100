// Settings of FastAdmin, and fixes for keyboards and screen readers.
window.SERVER_DOMAIN = "";
window.SERVER_URL = "/admin/api";

// A tab list may contain only tabs, but Ant Design puts the widget search into it. A table that scrolls must be
// reachable by keyboard, even if it is empty. A checkbox needs a label: the name of its column, which is read-only
// in a list.
new MutationObserver(() => {
  for (const nav of document.querySelectorAll(".ant-tabs-nav[role=tablist]")) {
    nav.querySelector(".ant-tabs-nav-list")?.setAttribute("role", "tablist");
    nav.removeAttribute("role");
    nav.removeAttribute("aria-orientation");
  }
  for (const body of document.querySelectorAll(".ant-table-body:not([tabindex])")) body.tabIndex = 0;
  for (const tick of document.querySelectorAll("td label > span > input[type=checkbox]:not([aria-label])")) {
    const cell = tick.closest("td");
    // On a phone each row is a list, with the column's name above each value.
    const name = cell.closest(".ant-table")?.querySelectorAll("thead th")[cell.cellIndex] ?? cell.parentElement.previousElementSibling;
    if (!name) continue;
    tick.setAttribute("aria-label", name.textContent);
    tick.setAttribute("aria-readonly", "true");
  }
}).observe(document, { childList: true, subtree: true });
