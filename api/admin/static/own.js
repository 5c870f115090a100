// Where FastAdmin asks, and what it leaves to do for those who listen to the page.
window.SERVER_DOMAIN = "";
window.SERVER_URL = "/admin/api";

// A list of tabs holds tabs and nothing else; Ant Design puts the search for widgets into it. And a table that scrolls
// must be reachable by keyboard, although there is nothing in it.
new MutationObserver(() => {
  for (const nav of document.querySelectorAll(".ant-tabs-nav[role=tablist]")) {
    nav.querySelector(".ant-tabs-nav-list")?.setAttribute("role", "tablist");
    nav.removeAttribute("role");
    nav.removeAttribute("aria-orientation");
  }
  for (const body of document.querySelectorAll(".ant-table-body:not([tabindex])")) body.tabIndex = 0;
}).observe(document, { childList: true, subtree: true });
