export const title = 'messages.title';

export async function show() {
  return () => {};
}
