export const greet = (path) => `version one of ${path}`;
