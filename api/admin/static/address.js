window.SERVER_DOMAIN = "";
window.SERVER_URL = "/admin/api";
