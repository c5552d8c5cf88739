/* The formats that weights come in from, in the order in which they are recognized: INCOMING(name of its file
 * and of what it exports, behind incoming_). */
INCOMING(npz)
INCOMING(currennt)
INCOMING(safetensors)
