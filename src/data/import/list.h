/* The formats that are read, in the order of help and messages: KIND(name of its file and of what it
 * exports). */
KIND(csv)
KIND(npy)
KIND(text)
KIND(ts)
KIND(kaldi)
KIND(htk)
KIND(currennt)
KIND(rnnlib)
KIND(returnn)
KIND(audio)
