import "@sojourn/browser/timeout";
import { createApp } from "vue";
import App from "./App.vue";

createApp(App).mount("#app");

// The page shows the end itself, so the dialog need not.
addEventListener("sojourn-ended", (event) => event.preventDefault());
