# docker build -t smsgw .
# docker run -v $PWD/smsgw.yaml:/etc/smsgw/smsgw.yaml:ro -v smsgw:/var/lib/smsgw -p 8080:8080 smsgw
#
# In the configuration: data_dir /var/lib/smsgw, and http.listen 0.0.0.0:8080, since the container's
# own loopback can't be reached from outside it.
FROM python:3.11-slim

WORKDIR /opt/smsgw
COPY requirements.lock ./
RUN pip install --no-cache-dir --no-deps --require-hashes -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY smsgw smsgw
RUN pip install --no-cache-dir --no-deps --no-build-isolation . \
    && useradd --system --create-home --home-dir /var/lib/smsgw smsgw

USER smsgw
WORKDIR /var/lib/smsgw
VOLUME /var/lib/smsgw
EXPOSE 8080
ENTRYPOINT ["smsgw"]
CMD ["run"]
