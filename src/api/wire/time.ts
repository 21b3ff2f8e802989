/** One fixed format everywhere: clients sort by these texts. */
export const toWireTime = (milliseconds: number): string =>
  new Date(milliseconds).toISOString().replace("Z", "000Z");
