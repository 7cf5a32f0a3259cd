"""What monitoring sees, and how gates read it: scraping, series, PromQL, Datadog queries and Argo's conditions."""
