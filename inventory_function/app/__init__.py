"""The inventory API: items by SKU in DynamoDB, file downloads from S3. The handler is app.lambda_handler."""
