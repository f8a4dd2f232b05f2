# Milepost's services in one image; the command line chooses which: `docker run milepost api`.
FROM python:3.11.14-slim-bookworm AS build
WORKDIR /src
COPY . .
RUN python -m venv /opt/build && /opt/build/bin/pip install --no-cache-dir -c constraints.txt hatchling
RUN /opt/build/bin/pip wheel --no-deps --no-build-isolation --wheel-dir /opt/dist .
RUN python -m venv /opt/milepost && /opt/milepost/bin/pip install --no-cache-dir -c constraints.txt "$(echo /opt/dist/milepost-*.whl)[server]"
RUN /opt/milepost/bin/python -m pip uninstall --yes setuptools pip

FROM python:3.11.14-slim-bookworm
# Fonts of PDF reports, for names in Chinese and Tibetan.
RUN apt-get update && apt-get install -y --no-install-recommends fonts-noto-cjk fonts-ddc-uchen \
    && rm -rf /var/lib/apt/lists/*
RUN python -m pip uninstall --yes setuptools wheel pip && useradd --system --uid 10001 --no-create-home milepost \
    && install -d -o 10001 -g 10001 -m 700 /var/lib/milepost/ledger
COPY --from=build /opt/milepost /opt/milepost
ENV PATH=/opt/milepost/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
USER 10001:10001
ENTRYPOINT ["milepost"]
CMD ["--help"]
