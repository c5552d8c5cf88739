/* The formats that are exported to, in the order of help and messages: EXPORT(name of the format, which is
 * that of its file and of what it exports, behind export_). */
EXPORT(safetensors)
EXPORT(npz)
EXPORT(onnx)
EXPORT(c)
