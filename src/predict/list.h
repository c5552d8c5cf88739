/* The formats of outputs: PREDICT_FORMAT(enumerator, name). */
PREDICT_FORMAT(HDF5, hdf5)
PREDICT_FORMAT(CSV, csv)
PREDICT_FORMAT(TEXT, text)
