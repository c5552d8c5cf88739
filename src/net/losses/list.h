/* The losses, in the order of messages and documents: LOSS(enumerator, name in files and of its own file). */
LOSS(SOFTMAX, softmax)
LOSS(SIGMOID, sigmoid)
LOSS(MSE, mse)
LOSS(HUBER, huber)
LOSS(MAE, mae)
LOSS(LOGCOSH, logcosh)
LOSS(QUANTILE, quantile)
LOSS(GAUSSIAN, gaussian)
