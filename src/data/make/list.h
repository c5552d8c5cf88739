/* The built-in datasets, in the order of help and messages: KIND(name of its file and of what it exports).
 * The place in the list is a part of the random numbers of a kind: a new one goes to the end. */
KIND(lorenz)
KIND(adding)
KIND(context)
KIND(numbers)
KIND(reber)
KIND(spell)
KIND(recall)
KIND(copy)
