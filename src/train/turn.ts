import { present } from "../base/assert.js";
import type { TensorId } from "../base/units.js";
import { type NodeView, type Tensor, tensorOf, viewOf } from "../ir/graph.js";
import { constantOf, inputOf } from "../ops/common/view.js";
import { emittedView, type GraphEmitter, graphEmitter } from "../ops/emitter.js";
import { type Graph, type Node, specOf } from "../ops/index.js";

/*
 * Spectrograms and series are tall: many frames of few values. Kernels go along rows and treat both ends of each apart, so
 * images train faster on their side, up to 1.3 times for a depthwise convolution over 25x5 pixels.
 */

/** What turning gave. */
export interface Turned {
  readonly graph: Graph;
  /** Filters that are read turned. */
  readonly filters: ReadonlySet<TensorId>;
}

const turning = [0, 2, 1, 3] as const;

const isImage = (t: Tensor | null): t is Tensor => t !== null && t.shape.length === 4;

/** True if a value is the same for all pixels of an image. */
const isOfChannels = ({ shape }: Tensor): boolean => shape.slice(-3, -1).every((n) => n === 1);

/** Attributes of a window for height and width in each other's place. */
function turnedAttrs(attrs: object): object {
  const swap = (value: unknown): unknown => {
    if (!Array.isArray(value)) return value;
    const [a, b, ...more] = value as number[];
    return more.length === 0 ? [b, a] : [...more, a, b];
  };
  return Object.fromEntries(Object.entries(attrs).map(([name, value]) => [name, swap(value)]));
}

const windows: ReadonlySet<string> = new Set(["CONV_2D", "DEPTHWISE_CONV_2D", "AVERAGE_POOL_2D", "MAX_POOL_2D"]);

/** True if a node gives the same for its images turned, turned. */
function isPointwise(view: NodeView<object>, node: Node): boolean {
  const { traits } = specOf(node);
  const [x, y] = [view.inputs[0], view.outputs[0]];
  if (traits.view) return x?.shape.join() === y?.shape.join();
  return traits.elementwise && view.inputs.every((t) => t === null || isImage(t) || isOfChannels(t));
}

/** True for a mean over whole images. */
function isGlobal(view: NodeView<object>, node: Node): boolean {
  if (node.op !== "MEAN") return false;
  const axes = constantOf(inputOf(view, 1)).map((axis) => (axis < 0 ? axis + 4 : axis));
  return axes.length === 2 && axes.includes(1) && axes.includes(2);
}

/** Nodes of a graph once more, those of images with height and width swapped. */
class Turning {
  readonly e: GraphEmitter;
  readonly filters = new Set<TensorId>();
  /** Turned images by what they are in the graph. */
  private readonly turned = new Map<TensorId, Tensor>();
  /** Images that were turned back, each of which costs a pass, and windows that move over turned ones. */
  back = 0;
  windows = 0;

  constructor(private readonly graph: Graph) {
    this.e = graphEmitter(graph);
  }

  private transposed(t: Tensor): Tensor {
    const order = this.e.constant([4], Int32Array.from(turning));
    return present(this.e.node("TRANSPOSE", [t, order])[0], "turned");
  }

  /** An image turned; one pixel is so already. */
  private turn(t: Tensor): Tensor {
    if (isOfChannels(t)) return t;
    const found = this.turned.get(t.id) ?? this.transposed(t);
    if (t.data === null) this.turned.set(t.id, found);
    return found;
  }

  /** A node on turned images; false where there is no such. */
  private turnedNode(node: Node): boolean {
    const view = emittedView(this.e, node) as NodeView<object>;
    const isWindow = windows.has(node.op);
    if (!view.inputs.some((t) => t !== null && this.turned.has(t.id))) return false;
    if (isGlobal(view, node)) {
      this.e.append([{ ...node, inputs: [this.turn(inputOf(view, 0)).id, ...node.inputs.slice(1)] } as Node], []);
      return true;
    }
    if (!isWindow && !isPointwise(view, node)) return false;
    const inputs = view.inputs.map((t, i) => {
      if (!isImage(t)) return t;
      if (isWindow && i === 1 && !isOfChannels(t)) this.filters.add(t.id);
      return this.turn(t);
    });
    if (isWindow) this.windows++;
    const attrs = isWindow ? turnedAttrs(node.attrs) : node.attrs;
    const types = view.outputs.map((t) => ({ ...t, shape: turning.map((axis) => t.shape[axis] ?? 1) }));
    const outputs = this.e.from(node.origin, () => this.e.node(node.op, inputs, attrs, types));
    view.outputs.forEach((t, i) => {
      const y = present(outputs[i], "output");
      if (isOfChannels(t)) this.e.rename(y.id, t.id);
      else this.turned.set(t.id, y);
    });
    return true;
  }

  /** Gives an image that was computed turned the id it has in the graph. */
  private give(id: TensorId | null): void {
    const t = id === null ? undefined : this.turned.get(id);
    if (t === undefined || id === null || this.graph.inputs.includes(id)) return;
    this.turned.delete(id);
    this.back++;
    this.e.rename(this.transposed(t).id, id);
  }

  run(): void {
    for (const id of this.graph.inputs) this.turn(tensorOf(this.graph, id));
    for (const node of this.graph.nodes) {
      if (this.turnedNode(node)) continue;
      node.inputs.forEach((id) => {
        this.give(id);
      });
      this.e.append([node], []);
    }
    this.graph.outputs.forEach((id) => {
      this.give(id);
    });
  }
}

/**
 * A graph whose images lie on their longer side, where they come in taller than wide and stay turned for most of the
 * windows that move over them: up to a mean over all pixels, or to the only reader that cannot take them so. Inputs and
 * outputs are as before.
 */
export function turnImages(graph: Graph): Turned {
  const none: Turned = { graph, filters: new Set() };
  const images = graph.inputs.map((id) => tensorOf(graph, id));
  const isTall = images.every((t) => isImage(t) && (t.shape[1] ?? 0) > (t.shape[2] ?? 0));
  const all = graph.nodes.filter((n) => windows.has(n.op) && !isOfChannels(inputOf(viewOf(graph, n), 0))).length;
  if (!isTall || all === 0) return none;
  const turned = new Turning(graph);
  turned.run();
  const { e, filters, back } = turned;
  return back > 1 || 2 * turned.windows <= all
    ? none
    : { graph: { ...graph, tensors: e.tensors(), nodes: e.nodes() }, filters };
}
