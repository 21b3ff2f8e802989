/** The package is a CommonJS module, and all of it is where its binary is. */
declare module "workerd" {
  const workerd: { readonly default: string };
  export default workerd;
}
