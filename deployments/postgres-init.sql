-- Beside the warehouse (database `fazhi`, made by the image): one for Prefect's server.
CREATE DATABASE prefect;
