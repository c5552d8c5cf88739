/* The outputs, in the order of messages and documents: OUTPUT(enumerator, name in files and of its file). */
OUTPUT(FRAME, frame)
OUTPUT(SEQUENCE, sequence)
OUTPUT(CTC, ctc)
OUTPUT(DECODER, decoder)
