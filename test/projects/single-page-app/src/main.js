import "./style.css";
import { greet } from "./greet.js";

document.querySelector("#app").textContent = greet(location.pathname);
void import("./later.js").then(({ later }) => later());
