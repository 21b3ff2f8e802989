export default {
  fetch(request) {
    return new Response(`the API answers ${new URL(request.url).pathname}`);
  },
};
