export const title = 'templates.title';

export async function show() {
  return () => {};
}
