export const later = () => document.body.classList.add("loaded-later");
