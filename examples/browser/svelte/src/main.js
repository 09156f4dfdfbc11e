import "@sojourn/browser/timeout";
import { mount } from "svelte";
import App from "./App.svelte";

mount(App, { target: document.getElementById("app") });

// The page shows the end itself, so the dialog need not.
addEventListener("sojourn-ended", (event) => event.preventDefault());
