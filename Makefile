# Two commands do everything: make demo, make check.  Both install what is missing.
.PHONY: all demo check bench clean install deps

all: deps
	@[ -e build/build.ninja ] || meson setup build >/dev/null
	@ninja -C build

# The main job on embedded defaults.  DIR=… names the folder that is stored.
demo: deps
	@[ -e build/build.ninja ] || meson setup build >/dev/null
	@ninja -C build --quiet
	@tool/demo $(if $(DIR),"$(DIR)")

check:
	@tool/deps check
	@tool/check

bench: all
	@echo "bench/README.md lists one command per figure"

install: all
	@meson install -C build $${DESTDIR:+--destdir "$$(realpath -m "$$DESTDIR")"}

clean:
	rm -rf build build-san

deps:
	@tool/deps
